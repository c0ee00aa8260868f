"""Updates of the parameters of trained networks, fused into one loop over the elements."""

import numpy as np

from esnkit.kernels.compilation import kernel


@kernel
def adam(theta, gradient, m, v, rate, beta_1, beta_2, epsilon):
    """Make one update of Adam in place, in the precision of the arrays.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  theta = theta - rate m / (sqrt(v) + epsilon)

    ``rate`` includes the corrections of the bias of m and v.
    """
    number = theta.dtype.type
    keep_m, new_m = number(beta_1), number(1 - beta_1)
    keep_v, new_v = number(beta_2), number(1 - beta_2)
    eps_t, small = number(rate), number(epsilon)
    for k in range(theta.size):
        g = gradient[k]
        m[k] = keep_m * m[k] + new_m * g
        v[k] = keep_v * v[k] + new_v * (g * g)
        theta[k] -= eps_t * (m[k] / (np.sqrt(v[k]) + small))
