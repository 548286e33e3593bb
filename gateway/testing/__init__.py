"""A simulated Ollama with models, windows, a clock and faults: it serves the tests, `holdfast demo` and `make run` without an Ollama.

ollama.py        the server: start here
models/          what it serves: families, prompt formats, dialects, the vocabulary they count with
script.py        what a model says; agent_scripts.py and demo.py are larger scripts
faults.py        everything that can go wrong; generations.py holds the words for it
runtime/         scheduling, windows, slots, the loop over tokens
parsers/         how the server itself reads what its models write, and fails to
api/             the HTTP surfaces
record.py        the book of what was asked; client.py and fake_clock.py help tests to read it
"""
