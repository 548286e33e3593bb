"""What runs a model: scheduling, windows, slots, and the loop over tokens."""
