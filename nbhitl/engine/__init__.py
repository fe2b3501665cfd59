"""The superstep engine: plan tasks, run them, apply their writes. Deciding is pure, drivers do the I/O.

The modules, by what a change is about:

The course of a run
    prepare                   from a caller's config to a Run: which thread, which saver, nested in which task
    begin                     load the checkpoint, take in an input, a Command or an answer
    loop                      the story of a run, as a generator that asks for what it wants done
    instructions              what it asks for
    drive, adrive             do that, sync and async; `workers` are the threads of parallel tasks
    astream                   an async run that is read while it runs
    progress, head            where a run is, and the state that it has there
    pause, fail               how it stops: to ask, or with an error
    update                    a change from outside: `update_state`

One step
    plan                      who runs next
    tasks                     a task and its result
    read                      what a node is given
    run_task, arun_task       call user code, and again after errors (`retry`), within its time (`timeouts`)
    running                   what code inside a node can see and do; `task_config` its config, `channel_access` its keys
    returned, writes          from what a node returned to writes
    paths                     what a path function is shown, and where its answer leads
    caching                   results of nodes with a cache policy
    error_handlers            the task that runs when a node has failed for good
    apply, keys               writes -> state, in order; for one key
    saved                     what of a step's results is saved

Questions and answers
    questions                 which answer belongs to which question
    answers                   take answers up, before any node runs
    answer_schema             whether an answer fits `response_schema`
    replay, site              whether a node that starts again asks the same, and at the same place
    swallowed                 pauses that user code caught
    kept_pause                answers that need not read the thread again
    carried, place            answers after a change by hand, and for questions of called graphs
    given_back                questions opened again because nothing ran with their answers
    claims_beside             claims for savers that keep none
    unkept                    answers where a saver keeps no questions
    effects                   where the effects of `once()` are noted

Called graphs
    timeline                  which state one has that keeps its own
    called_langgraph          one that was compiled by LangGraph

What is told of a run
    events, report            the chunks of each stream mode; of a task's end
    messages, tokens          chat messages that nodes return, and tokens of models
    snapshot, outline         `get_state`, and the lines of a history
    listeners                 who listens: LangChain's callbacks (`traces`, `langchain_runs`), the graph's (`lifecycle`)

Savers and formats of others
    foreign                   savers written for LangGraph
    from_langgraph            threads that LangGraph wrote, as nbhitl's
    to_langgraph              the other way

What goes wrong
    misshapen                 stored data of another shape
    unfit                     whose writes a key could not take
    unsaved                   errors of a store
    unswapped                 LangGraph's functions called in a node of nbhitl's

What runs
    spec                      what `compile()` makes of a graph
    program                   that, ready for quick look-ups
"""
