"""The pages that people look at, and what they are made of."""
