"""Course tools: build the three editions, grade a class, record experiments."""
