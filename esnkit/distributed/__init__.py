"""From one core to a cluster: fits and predictions of dask collections.

``fit`` and ``predict`` of estimators with a reservoir and of ``RidgeReadout`` take arrays in
memory. Data that do not fit into it come as dask collections (``pip install 'esnkit[dask]'``); the
methods call the functions of this folder, and the fitted attributes are those of one machine.

What to use, for 500 units, three inputs and a target at every step:

=========  =======================================  =====================  ==================
rows       what to use                              time                   memory
=========  =======================================  =====================  ==================
10 000     ``fit`` on arrays                        0.1 s                  11 MB and the data
1 000 000  ``fit`` on arrays, or ``partial_fit``    9.3 s                  11 MB and the data
           on one part of a file after another
2 000 000  dask, 16 partitions, one worker          21.1 s                 372 MB a worker
2 000 000  dask, 16 partitions, two workers         12.8 s                 370 MB a worker
1e9        ``partial_fit``, or dask on one worker   9100 s (simulated)
1e9        dask, 16 workers                         570 s (simulated)
1e9        dask, 64 workers                         143 s (simulated)
=========  =======================================  =====================  ==================

Times are CPU seconds of one core of an AMD EPYC (Zen 4) at one thread a process, for dask those of
the busiest worker; of the memory of a worker, about 350 MB are the Python packages. The simulation
(``benchmarks/cluster.py --part sizes``) takes the measured times of single tasks of 125 000 rows
(1.12 s; 1.4 ms for the state at its start; 1.3 ms for a merge), gives each task to the first free
worker, finds the states at the starts of the partitions one after another, and counts 1 ms of the
scheduler for each of five tasks of a partition. It assumes that data are where they are needed and
that all workers are as fast as this one. Measured workers take 20 % longer than simulated, as they
make their data and talk to the scheduler. From some 200 workers on, the scheduler is what limits
the time: larger partitions help.

Rules of thumb:

- Partitions of 1e5 to 1e6 rows: a task then takes a second or more, and a worker needs the memory
  of a few partitions beside a matrix of features by features.
- One thread for each worker, as many workers as cores: ``LocalCluster(n_workers=4,
  threads_per_worker=1)``. Tasks start no threads of their own.
- A cut through a series costs the rows that its reservoir remembers, some hundreds; one that does
  not forget, such as with ``leak_rate=0.001`` or a spectral radius of 3, carries its state from
  partition to partition, which takes about half of the time of a fit, on one worker at a time.
- ``fit`` computes in threads unless there is a client of a cluster. A bag computes in processes by
  default, which import everything anew: ``model.predict(bag).compute(scheduler="threads")``.
- ``fit`` releases a partition when it is summed up. ``predict`` of a series finds the states at
  the starts of partitions ahead of the predictions, for which these wait in memory: a cluster
  spills them to disk; a machine with little memory predicts one part after another.
- A list of penalties reads the data once more; for poolings such as "ppv" and "model_space" there
  is one more pass. ``X.persist()`` keeps the data in the memory of the cluster.
- A readout of another library needs all rows: up to 64 MB of features are gathered for it.
- Searches need no collections: their folds are independent tasks for joblib. ``with
  joblib.parallel_config(backend="dask"):`` runs a ``GridSearchCV`` on the workers of a dask client,
  and after ``ray.util.joblib.register_ray()`` so does ``backend="ray"``; scores are the same bits.
- Tasks depend on their arguments alone. Dask computes again what a lost worker held, with the same
  result; the logger ``esnkit.distributed`` tells how many workers were lost.

Not available for collections: noise, clamps, a different initial state for every sequence,
``predict(..., return_state=True)``, ``predict_proba(..., steps=...)``, ``score`` and
``partial_fit``. A call of these raises an error that names the argument or the method. A search on
dask arrays needs ``scoring``, such as "r2", with which predictions are loaded into memory; other
collections have no rows that folds could take.
"""

from esnkit.distributed._api import decision_function, fit, predict, predict_proba

__all__ = ["decision_function", "fit", "predict", "predict_proba"]
