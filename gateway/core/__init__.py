"""The pure part of Holdfast: no IO, no clock, no dice, no logs, no asyncio. Everything here is a value, a stage or a decision."""
