"""The local server and `ask`: one step above the runtime, and no part of the Lambda package."""
