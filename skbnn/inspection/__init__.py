"""What a fitted model holds, as a table and as figures; matplotlib is imported where something is drawn."""

from skbnn.inspection.loss_curve import LossCurveDisplay
from skbnn.inspection.steps import StepsDisplay
from skbnn.inspection.summary import Summary, summary
from skbnn.inspection.thresholds import ThresholdDisplay
from skbnn.inspection.weights import WeightDisplay

__all__ = ["LossCurveDisplay", "StepsDisplay", "Summary", "ThresholdDisplay", "WeightDisplay", "summary"]
