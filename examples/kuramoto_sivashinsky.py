"""Forecast a chaotic field: the Kuramoto-Sivashinsky equation on a long ring.

The field has 512 points. A single network for all of them would have to be large, and to learn
from long series. `PatchForecaster` cuts the ring into 128 patches of 4 points. One network serves
all of them: it sees a patch with 8 points on either side, which is farther than an effect travels
in a time step, and learns from the rows of all patches. In the forecast, each patch sees the
forecasts of its neighbours.

You learn how to forecast a field, and what noise on the inputs does. The field is smooth: its
values lie near a space of far fewer dimensions than there are points. Without noise the network
does not learn what to do with errors that leave this space, and they grow until the forecast runs
away, of which `forecast` warns.

Writes kuramoto_sivashinsky.png.
"""

import matplotlib.pyplot as plt

from esnkit import ESNRegressor, PatchForecaster
from esnkit.datasets import make_kuramoto_sivashinsky
from esnkit.metrics import valid_prediction_time

LENGTH, DT, LYAPUNOV_EXPONENT = 200, 0.25, 0.09
N_TRAIN, HORIZON = 600, 400

field = make_kuramoto_sivashinsky(
    N_TRAIN + HORIZON, length=LENGTH, n_points=512, dt=DT, random_state=0
)
train, observed = field[:N_TRAIN], field[N_TRAIN:]


def forecast_with(noise):
    """Return a forecast and its valid prediction time, in Lyapunov times."""
    network = ESNRegressor(
        1000, spectral_radius=0.3, input_scaling=0.1, bias_scaling=1.0, alpha=1e-6, washout=30
    )
    model = PatchForecaster(network, patch_size=4, overlap=8, noise=noise, random_state=0)
    forecast = model.fit(train).forecast(HORIZON)
    valid = valid_prediction_time(
        observed,
        forecast,
        dt=DT,
        threshold=0.4,
        lyapunov_exponent=LYAPUNOV_EXPONENT,
        std=model.scale_,
    )
    print(f"noise {noise:g}: valid prediction time {valid:.1f} Lyapunov times")
    return forecast, valid


without, valid_without = forecast_with(noise=0.0)
forecast, valid = forecast_with(noise=1e-4)

panels = {
    "Kuramoto-Sivashinsky equation": observed,
    "forecast, noise of 1e-4 on the inputs": forecast,
    "error": forecast - observed,
    "error, without noise": without - observed,
}
figure, axes = plt.subplots(4, 1, figsize=(10, 9), sharex=True, layout="constrained")
end = HORIZON * DT * LYAPUNOV_EXPONENT
for axis, (title, values) in zip(axes, panels.items(), strict=True):
    picture = axis.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        extent=(0, end, 0, LENGTH),
        cmap="RdBu_r",
        vmin=-3,
        vmax=3,
    )
    axis.set(ylabel="place", title=title)
for axis, time in ((axes[1], valid), (axes[2], valid), (axes[3], valid_without)):
    axis.axvline(time, color="black", linestyle="--", linewidth=1)
axes[-1].set_xlabel("Lyapunov times; dashed: end of the valid prediction")
figure.colorbar(picture, ax=axes, label="u", shrink=0.5)
figure.savefig("kuramoto_sivashinsky.png", dpi=120)
print("wrote kuramoto_sivashinsky.png")
