"""Who may do what, and how often: keys, scopes, signing in, rate limits."""
