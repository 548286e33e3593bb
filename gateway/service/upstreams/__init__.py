"""The servers that answer: what they have, how much they hold, how fast they are, who may use them now."""
