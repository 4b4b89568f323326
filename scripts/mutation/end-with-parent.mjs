// Loaded into Stryker's worker before anything else: a worker whose parent is gone, however it went, ends as well. By itself it
// would go on, held by the thread that its tests run in.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
