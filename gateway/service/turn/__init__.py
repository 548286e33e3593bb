"""One turn: its attempts, what is made of their endings, and how it closes."""
