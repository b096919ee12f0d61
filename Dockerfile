# syntax=docker/dockerfile:1
# reviewbot as a container.
#
#   docker build -t reviewbot .                                   llama.cpp for the CPU
#   docker build -t reviewbot --target cuda .                     … for NVIDIA cards
#   docker build -t reviewbot --target cuda --build-arg CUDA_ARCH=89 .   … of one kind: much faster
#
# To try one (compose.yaml says more than this):
#
#   docker run -p 127.0.0.1:8080:8080 -e REVIEWBOT_BIND=0.0.0.0:8080 -v reviewbot:/data reviewbot
#
# Bases are pinned by version. What is installed has hashes (requirements/), compilers stay behind.

ARG DEBIAN=trixie
ARG PYTHON=3.12
ARG CUDA=12.9.1

# --- reviewbot itself: one wheel, whatever runs it -------------------------------------------------
FROM python:${PYTHON}-slim-${DEBIAN} AS wheel
WORKDIR /src
COPY requirements/build.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY rules rules
COPY reviewbot reviewbot
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

# --- what it needs, with llama.cpp for the CPU -----------------------------------------------------
FROM python:${PYTHON}-slim-${DEBIAN} AS build-cpu
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends g++ make
WORKDIR /src
COPY requirements requirements
RUN python -m venv /opt/reviewbot \
    && /opt/reviewbot/bin/pip install --no-cache-dir --require-hashes \
        -r requirements/service.txt -r requirements/llama.txt
# not for this very CPU: on another it would crash
RUN CMAKE_ARGS="-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF" /opt/reviewbot/bin/pip install \
        --no-cache-dir --no-deps --require-hashes --no-binary llama-cpp-python \
        -r requirements/llama-cpp.txt
COPY --from=wheel /wheels /wheels
RUN /opt/reviewbot/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

# --- the same for NVIDIA cards ---------------------------------------------------------------------
FROM nvidia/cuda:${CUDA}-devel-ubuntu24.04 AS build-cuda
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends g++ make python3-dev python3-venv
WORKDIR /src
COPY requirements requirements
RUN python3 -m venv /opt/reviewbot \
    && /opt/reviewbot/bin/pip install --no-cache-dir --require-hashes \
        -r requirements/service.txt -r requirements/llama.txt
# compute capabilities: Turing, Ampere (A100, RTX 30), Ada, Hopper
ARG CUDA_ARCH="75;80;86;89;90"
# the driver's library is not here: the container toolkit brings it at run time
RUN CMAKE_ARGS="-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF -DGGML_CUDA=on -DCMAKE_CUDA_ARCHITECTURES=${CUDA_ARCH} -DCMAKE_EXE_LINKER_FLAGS=-Wl,--allow-shlib-undefined" \
    /opt/reviewbot/bin/pip install \
        --no-cache-dir --no-deps --require-hashes --no-binary llama-cpp-python \
        -r requirements/llama-cpp.txt
COPY --from=wheel /wheels /wheels
RUN /opt/reviewbot/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

# --- what is shipped: cards ------------------------------------------------------------------------
FROM nvidia/cuda:${CUDA}-runtime-ubuntu24.04 AS cuda
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libgomp1 python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /data reviewbot \
    && install -d -o reviewbot -g reviewbot -m 0700 /data
COPY --from=build-cuda /opt/reviewbot /opt/reviewbot
ENV PATH=/opt/reviewbot/bin:$PATH PYTHONDONTWRITEBYTECODE=1 REVIEWBOT_DATA_DIR=/data
USER 10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["reviewbot"]
CMD ["serve"]

# --- what is shipped: CPU --------------------------------------------------------------------------
FROM python:${PYTHON}-slim-${DEBIAN} AS cpu
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /data reviewbot \
    && install -d -o reviewbot -g reviewbot -m 0700 /data
COPY --from=build-cpu /opt/reviewbot /opt/reviewbot
ENV PATH=/opt/reviewbot/bin:$PATH PYTHONDONTWRITEBYTECODE=1 REVIEWBOT_DATA_DIR=/data
USER 10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["reviewbot"]
CMD ["serve"]
