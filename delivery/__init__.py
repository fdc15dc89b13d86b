"""The steps of the workflows in .github/, as commands that run anywhere: docs/delivery.md shows their order."""
