"""A value over training: what a sparsity, a rate or a penalty should be after so many steps."""

from kerasopt.schedules.constant import Constant
from kerasopt.schedules.cosine import Cosine
from kerasopt.schedules.cyclic import Cyclic
from kerasopt.schedules.exponential import Exponential
from kerasopt.schedules.foreign import Foreign
from kerasopt.schedules.linear import Linear
from kerasopt.schedules.moments import Moment
from kerasopt.schedules.one_cycle import OneCycle
from kerasopt.schedules.one_shot import OneShot
from kerasopt.schedules.polynomial_decay import PolynomialDecay
from kerasopt.schedules.schedule import Schedule
from kerasopt.schedules.serialization import deserialize, get, serialize
from kerasopt.schedules.steps import Steps

__all__ = [
    "Constant",
    "Cosine",
    "Cyclic",
    "Exponential",
    "Foreign",
    "Linear",
    "Moment",
    "OneCycle",
    "OneShot",
    "PolynomialDecay",
    "Schedule",
    "Steps",
    "deserialize",
    "get",
    "serialize",
]
