"""Training: pairs cut from photographs, the optimiser, the trainer, a recipe for each weight."""
