"""What outlives the process: stations, their controls log and the saved presets."""
