"""A fitted pipeline that this project did not train, as a whole model folder."""
