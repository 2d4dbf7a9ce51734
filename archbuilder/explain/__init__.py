"""Why a value is what it is: finds a step in a network that was lowered, and reads off what the lowering decided there."""
