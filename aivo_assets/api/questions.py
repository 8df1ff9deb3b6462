"""What the HTTP service asks Dagster, in GraphQL. Belongs here: the texts; they are sent by dagster_client.py."""

from typing import Final

_RUN: Final = "runId jobName status creationTime startTime endTime tags { key value } assetSelection { path }"

RUN: Final = f"""query ($id: ID!) {{
  runOrError(runId: $id) {{ __typename ... on Run {{ {_RUN} }} ... on PythonError {{ message }} }}
}}"""

RUNS: Final = f"""query ($filter: RunsFilter!, $limit: Int!) {{
  runsOrError(filter: $filter, limit: $limit) {{
    __typename
    ... on Runs {{ results {{ {_RUN} }} }}
    ... on InvalidPipelineRunsFilterError {{ message }}
    ... on PythonError {{ message }}
  }}
}}"""

SCHEDULES: Final = """query ($selector: RepositorySelector!) {
  schedulesOrError(repositorySelector: $selector) {
    __typename
    ... on Schedules {
      results {
        name pipelineName cronSchedule executionTimezone
        scheduleState { status }
        futureTicks(limit: 1) { results { timestamp } }
      }
    }
    ... on RepositoryNotFoundError { message }
    ... on PythonError { message }
  }
}"""

LOCATIONS: Final = """{
  workspaceOrError {
    __typename
    ... on Workspace {
      locationEntries {
        loadStatus
        locationOrLoadError { __typename ... on PythonError { message errorChain { error { message } } } }
      }
    }
    ... on PythonError { message }
  }
}"""

DAEMONS: Final = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"

LATEST: Final = """query ($key: AssetKeyInput!) {
  assetOrError(assetKey: $key) {
    __typename
    ... on Asset {
      assetMaterializations(limit: 1) { metadataEntries { label ... on TextMetadataEntry { text } } }
    }
  }
}"""

END_CODE_SERVER: Final = """mutation ($location: String!) {
  shutdownRepositoryLocation(repositoryLocationName: $location) {
    __typename
    ... on RepositoryLocationNotFound { message }
    ... on PythonError { message }
  }
}"""

LAUNCH: Final = f"""mutation ($parameters: ExecutionParams!) {{
  launchRun(executionParams: $parameters) {{
    __typename
    ... on LaunchRunSuccess {{ run {{ {_RUN} }} }}
    ... on PipelineNotFoundError {{ message }}
    ... on RunConflict {{ message }}
    ... on UnauthorizedError {{ message }}
    ... on InvalidSubsetError {{ message }}
    ... on PythonError {{ message }}
  }}
}}"""
