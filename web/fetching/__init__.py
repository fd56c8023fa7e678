"""Getting a picture from a URL that a stranger gave."""
