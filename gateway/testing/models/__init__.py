"""What is served: families of models, how they are prompted, how they write, what they count with."""
