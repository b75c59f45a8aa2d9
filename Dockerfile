# Topotrace and what it needs, for CPUs and, with NVIDIA's container toolkit, for GPUs.
#
#   docker build -t topotrace .
#   docker run --rm -v "$PWD:/work" topotrace run experiment=smoke
#   docker run --rm --gpus all -e HF_TOKEN -v "$PWD:/work" topotrace run model=llama7b objective=harmless
#   docker run --rm --network host -v "$PWD:/work" topotrace ui ui.port=5000
#
# Runs lie in the mounted folder. `--user "$(id -u):$(id -g)" -e HOME=/work` makes them yours. The UI listens on 127.0.0.1
# of the container alone, hence the host's network for it.
FROM python:3.11-slim

# libgomp is what torch and Numba count on; a run asks git nothing here.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/topotrace
COPY requirements.lock ./
RUN pip install --no-cache-dir -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY conf conf
COPY src src
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

WORKDIR /work
ENTRYPOINT ["topotrace"]
CMD ["--help"]
