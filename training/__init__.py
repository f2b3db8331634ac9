"""Training for Fakelight: from raw videos to calibrated members in the model repository."""

from stream_server import no_telemetry
from training.torchvision_compat import mend_torchvision

no_telemetry.forbid()
mend_torchvision()
