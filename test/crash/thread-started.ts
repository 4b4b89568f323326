/** What a process says when its thread for new files begins. */
export const THREAD_STARTED = 'thread';
