"""The reference answers of units 04 to 06."""
