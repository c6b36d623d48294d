"""Numbers that both sides of the wire must agree on, with their units."""

PROTOCOL_VERSION = 1
PROTOCOL_MIN = 1

API_PREFIX = "/bert-training/api"

JSON_BODY_BYTES = 1024 * 1024
JSON_DEPTH = 20
UPLOAD_BYTES = 50 * 1024 * 1024
LINES_PER_BATCH = 500
POINTS_PER_BATCH = 500
PREDICTIONS_PER_BATCH = 500
PREDICTION_BYTES = 256 * 1024  # of one row's record: some 5,000 entities
ENTITIES_PER_ROW = 5000
PACKAGES = 2000  # installed on a worker
LINE_BYTES = 16 * 1024  # a longer line is cut by the worker with a marker, by the portal as a last resort
METRIC_NAMES_PER_RUN = 200
METRIC_NAME_CHARACTERS = 100
LOG_BYTES_PER_RUN = 256 * 1024 * 1024
LOG_LINES_PER_RUN = 1_000_000
CLASSES = 1000
LENGTH_BARS = 64  # of a histogram of lengths in tokens
LENGTH_CLASSES = 20
REMAINING_SECONDS = 1e9  # of a forecast: 30 years
LONG_TEXT_WAYS = 10  # of reading a long text; there are four
FEWEST_FOLDS = 3  # of a cross-validation: with two, each network would learn from half of the rows
FEWEST_SEEDS = 2
MOST_REPEATS = 10  # of one kind for one run
FORGETS_PER_HEARTBEAT = 20
RUNS_PER_FORGET = 100  # a run goes with its repeats, of which there are MOST_REPEATS of each kind
SEARCH_CHARACTERS = 200  # every word of a search is a condition on every field that is searched

LEASE_SECONDS = 60.0
HEARTBEAT_SECONDS = 15.0
TICK_SECONDS = 5.0
AFFINITY_SECONDS = 600.0
IDLE_RETRY_AFTER_SECONDS = 5
UNAVAILABLE_RETRY_AFTER_SECONDS = 5

CLOCK_SKEW_WARNING_SECONDS = 30.0

# Below it a worker takes no run. Two checkpoints, an older best one, one being written and the final model take up to
# 12 times the weights: 1.1 GB for a small base model. One of 110 million parameters needs 5.3 GB; one that finds less
# ends as disk_full, its checkpoints whole.
FREE_DISK_BYTES = 1024**3
