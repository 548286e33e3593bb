"""HTTP and JSON as Ollama speaks them, both APIs."""
