"""Memory of reservoirs: how many of its past inputs a hundred linear units recall.

Short-term memory is what a reservoir adds to a linear model. Its memory capacity counts the past
inputs that a linear readout of the states recalls, and is at most the number of units. A delay line
reaches it exactly: each unit holds one input. A cycle and an orthogonal matrix nearly do, because
all their directions fade equally slowly; of random weights, many directions fade so fast that
rounding errors cover them. Units that are not linear trade memory for nonlinear functions of the
inputs: the information processing capacity counts both.

You learn how to measure and draw both capacities, and how to check the echo state property.

Writes memory_capacity.png.
"""

import matplotlib.pyplot as plt
import numpy as np

from esnkit import Reservoir
from esnkit.analysis import check_echo_state_property
from esnkit.plotting import InformationCapacityDisplay, MemoryCapacityDisplay

N_UNITS = 100


def linear(topology, **parameters):
    return Reservoir(
        N_UNITS,
        topology=topology,
        spectral_radius=0.95,
        activation="identity",
        bias_scaling=0.0,
        random_state=0,
        **parameters,
    )


reservoirs = {
    "delay line": linear("delay_line", input_weights=np.eye(N_UNITS, 1)),  # into the first unit
    "cycle": linear("cycle"),
    "orthogonal": linear("orthogonal"),
    "random": linear("random"),
}
figure, (left, right) = plt.subplots(
    1, 2, figsize=(13, 4.5), layout="constrained", width_ratios=(3, 2)
)
memory = MemoryCapacityDisplay.from_reservoirs(
    reservoirs, max_delay=250, n_timesteps=20_000, random_state=0, ax=left
)
for name, result in memory.results.items():
    print(f"{name}: recalls {result.capacity:.1f} of {N_UNITS} inputs")

scaled = {
    f"input scaling\n{scaling}": Reservoir(20, input_scaling=scaling, random_state=0)
    for scaling in (0.1, 0.5, 1.0)
}
display = InformationCapacityDisplay.from_reservoirs(
    {"linear": Reservoir(20, activation="identity", random_state=0), **scaled},
    max_degree=4,
    n_timesteps=20_000,
    random_state=0,
    ax=right,
)
for name, result in display.results.items():
    parts = ", ".join(f"{part:.1f}" for part in result.by_degree)
    print(f"{' '.join(name.split())}: capacity {result.capacity:.1f} of 20, by degree {parts}")

left.set_title("memory of 100 linear units", loc="left", fontsize=10)
right.set_title("capacity of 20 tanh units, by degree", loc="left", fontsize=10)
figure.savefig("memory_capacity.png", dpi=150)
print("wrote memory_capacity.png")

print(check_echo_state_property(Reservoir(N_UNITS, random_state=0), random_state=0))
