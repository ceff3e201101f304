# The suite itself, with the peers that need only Python: see peers/README.md, "In a container".
FROM python:3.11-slim-bookworm
WORKDIR /zconform
COPY pyproject.toml README.md LICENSE ./
COPY harness harness/
COPY conformance conformance/
COPY specs specs/
COPY peers peers/
RUN pip install --no-cache-dir --disable-pip-version-check -e '.[peers,containers]'
ENTRYPOINT ["python", "-m", "pytest", "conformance/", "-p", "no:cacheprovider"]
