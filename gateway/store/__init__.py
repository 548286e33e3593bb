"""Where things are kept: in memory, or in one SQLite file of the state directory. Both keep the same promises."""
