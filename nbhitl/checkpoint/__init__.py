"""Where threads are kept: savers, their records, and the claims on open questions.

The modules, by what a change is about:

What a saver can do
    base                      LangGraph's interface (`base.id`: its ids)
    memory, sqlite, postgres  the savers; `sqlite.aio` and `postgres.aio` the async ones
    records                   what the engine hands over and gets back
    steps                     load and save steps; `_core` what all parts share
    _review                   answers and claims, by the rules of `claims`; `leases` keeps answers alive while nodes run
    _asking                   questions: asked, and moved on with the pauses and results of their step
    _pauses                   where runs stopped to ask, and what they keep of it in the process
    _once, journal            what `once()` did; which journal belongs to a saver
    _keeping, _upkeep         delete, prune, copy; what these decide
    _filters                  what threads and questions are chosen by
    _classic                  LangGraph's methods on top of steps; `_shape` translates
    _inspectable, _put_back   `saver.storage` and the like; what programs put back there
    _overridden               whether a method of a derived class replaces one of ours
    _twins                    the async methods

What is stored of a step
    _rows                     steps as rows: what changed, or the whole state
    _fold                     rows -> states; `_outline` without states
    _answers                  the answers of a task
    _edits                    how a list was edited that did not only grow
    _metadata, _ids, _body_parts  parts of a row; `_compression` of what is stored whole
    _unpacked                 rows of plain values that memory holds as they are
    plain_forms               writes as plain data, for serializers of others; `_typed` reads and writes with those
    _unstorable               which value cannot be stored
    stamps, task_ids, digests  ids and times of checkpoints, ids of tasks, digests of questions

Where rows are
    _row_store                what a store of rows offers
    _memory_rows              in dicts; `_memory_threads` those of a thread
    _sql_rows, _sql           in a database, and the SQL that SQLite and PostgreSQL share
    _background               the thread that writes steps which wait
    _read_on                  reading while somebody prunes
    _opening                  a connection, closed if no saver is made for it

What a process keeps of a store
    _newest                   the newest steps with their pending writes
    _reread                   the newest checkpoints that were read
    _recall                   the newest states, decoded

Threads of others
    companion                 what is kept beside a saver that is not nbhitl's
    _handed_on                what a saver of others hands on to one of nbhitl's
    bundle, _bundle_rows      a thread as a file
    _rebuilt                  a thread of another kind of saver, as steps

SQLite: `sqlite/`
    _saver                    what both savers share
    _database                 a connection: transactions, lock; `_transaction` its `with`, `_errors` its errors
    _awaited, _lent           a connection to await; one of aiosqlite's
    queries, _layout, _migration  tables; pages and log of a file; earlier versions
    _beside                   rows, where a question's pending writes stand in its row
    _group, _waiting          which steps may wait to be written together; those that do
    _log                      the log, brought home in the background
    _open_file                whether the file that is open is still at its path
    _columns, _bound          what a column may hold; bytes as sqlite3 takes them quickest
    _changed_rows             whether a statement changed a row
    _shown                    what programs find that read LangGraph's tables

PostgreSQL: `postgres/`
    _database                 transactions, locks, migrations; `_errors` its errors
    _links                    connections and pools
    _batch                    several statements in one exchange
    _waiting                  the first steps of a new thread, sent with what follows
    queries                   tables and locks

Values as bytes: `serde/`
    core                      the serializer; `decoding`, `whole` back, `tags` the kinds, `formats` those of others
    base, jsonplus, types     names that savers and programs written for LangGraph import
    plain, standard           Python's own types
    foreign                   types of NumPy (`numeric`), pandas (`frames`), pydantic and LangChain (`libraries`)
    graphtypes, items         nbhitl's own; what stores found
    usertypes, homes          a program's own classes; where a program is written
    canonical                 one spelling for equal values: for digests and cache keys
    tagged_json               stored bytes as JSON
    encrypted                 values encrypted
"""
