"""An Optuna sampler that never gives a configuration of a finite space twice."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from kerasopt.tuning.search_space.axes import Axis
from kerasopt.tuning.search_space.configurations import Config, Space, config_of, distance


class Distinct(BaseSampler):
    """Asks another sampler, and where its answer was tried takes the nearest that was not.

    It walks the space in order, so that only active hyperparameters are sampled, each by the other
    sampler's relative sampling where that covers it, else by its independent one.

    Args:
        sampler: The other sampler; `None` goes through the space in order, as a grid.
        space: Gives the space as it is known now.
        tried: Gives the configurations that have been tried or are being tried: `Covered` for a
            grid, else a set.
        seed: Of the choice between equally near configurations. Defaults to `None`.

    Attributes:
        given: By name in the study, what is taken for a hyperparameter without asking: values that
            a trial had before the study knew of the hyperparameter.
    """

    def __init__(
        self,
        sampler: BaseSampler | None,
        space: Callable[[], Space],
        tried: Callable[[], Any],
        seed: int | None = None,
    ):
        self.sampler = sampler
        self._space = space
        self._tried = tried
        self._random = random.Random(seed)
        self.given: dict[str, Any] = {}

    def infer_relative_search_space(
        self,
        study: Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """Give the whole space: everything is sampled at once."""
        return {axis.key: axis.distribution for axis in self._space().axes if axis is not None}

    def sample_relative(
        self,
        study: Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],  # noqa: ARG002
    ) -> dict[str, Any]:
        """Sample all active hyperparameters."""
        space = self._space()
        tried = self._tried()
        if self.sampler is None:
            left = (one for one in space.configurations() if one not in tried)
            found = next(left, None)
            return space.params(next(space.configurations()) if found is None else found)
        values = self._asked(study, trial, space)
        if config_of(values) not in tried:
            return space.params(values)
        if space.size() is None:  # a repetition in a large space: another one, for a while
            for _ in range(20):
                values = self._asked(study, trial, space)
                if config_of(values) not in tried:
                    break
            return space.params(values)
        return space.params(self._nearest(space, values, tried))

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Sample one that was declared after the others were sampled."""
        if param_name in self.given:
            return self.given[param_name]
        if self.sampler is None:
            from optuna.samplers import RandomSampler

            self.sampler = RandomSampler(seed=self._random.randrange(2**32))
        return self.sampler.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Hand it on."""
        if self.sampler is not None:
            self.sampler.before_trial(study, trial)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Hand it on."""
        if self.sampler is not None:
            self.sampler.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """Hand it on."""
        if self.sampler is not None:
            self.sampler.reseed_rng()

    def _asked(self, study: Study, trial: FrozenTrial, space: Space) -> dict[str, Any]:
        sampler = self.sampler
        assert sampler is not None
        known = sampler.infer_relative_search_space(study, trial)
        relative = sampler.sample_relative(study, trial, known)

        def ask(_: Any, axis: Axis) -> Any:
            at = axis.distribution
            if axis.key in relative and known.get(axis.key) == at:
                return axis.value(relative[axis.key])
            return axis.value(sampler.sample_independent(study, trial, axis.key, at))

        return space.walk(ask)

    def _nearest(
        self, space: Space, values: Mapping[str, Any], tried: set[Config]
    ) -> dict[str, Any]:
        left = [one for one in space.configurations() if config_of(one) not in tried]
        if not left:
            return dict(values)
        apart = [distance(space, values, one) for one in left]
        least = min(apart)
        return self._random.choice(
            [one for one, far in zip(left, apart, strict=True) if far == least]
        )
