"""What an operator sees: metrics, health, slow steps of the loop, and logs."""
