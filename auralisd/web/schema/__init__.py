"""The shapes of what comes in and of what goes out, with the words of the documentation."""
