"""What clients speak to: one file per surface over one door. Surfaces know the service and the wire formats, nothing else."""
