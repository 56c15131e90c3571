"""What may become of a trained model."""

from typing import Final

from scf.kernel.states import Lifecycle

MODEL: Final = Lifecycle(
    "model",
    {
        ("TRAINED", "validate"): "VALIDATED",
        ("TRAINED", "retire"): "RETIRED",
        ("VALIDATED", "challenge"): "CHALLENGER",
        ("VALIDATED", "retire"): "RETIRED",
        ("CHALLENGER", "promote"): "CHAMPION",
        ("CHALLENGER", "retire"): "RETIRED",
        ("CHALLENGER", "kill"): "KILLED",
        ("CHAMPION", "retire"): "RETIRED",  # another one takes its place
        ("CHAMPION", "kill"): "KILLED",
    },
)
