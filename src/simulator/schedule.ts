/** `answer`: part of the running answer, gone when it is interrupted. `line`: the connection's own. */
export type TaskOwner = 'answer' | 'line';

interface Task {
  readonly at: number;
  readonly order: number;
  readonly owner: TaskOwner;
  readonly run: (at: number) => void;
}

/** What is still to be done and when. Holds no timer: whoever drives it asks when to come back. */
export interface Schedule {
  add(at: number, owner: TaskOwner, run: (at: number) => void): void;
  cancel(owner: TaskOwner): void;
  clear(): void;
  nextAt(): number | undefined;
  /** Runs the first task that is due, at its own time. `false`: none is. */
  runNext(now: number): boolean;
}

export function createSchedule(): Schedule {
  let tasks: Task[] = [];
  let added = 0;

  return {
    add(at, owner, run) {
      added += 1;
      const task = { at, order: added, owner, run };
      let place = tasks.length;
      while (place > 0 && tasks[place - 1]!.at > at) place -= 1;
      tasks.splice(place, 0, task);
    },
    cancel(owner) {
      tasks = tasks.filter((task) => task.owner !== owner);
    },
    clear() {
      tasks = [];
    },
    nextAt: () => tasks[0]?.at,
    runNext(now) {
      const first = tasks[0];
      if (first === undefined || first.at > now) return false;
      tasks.shift();
      first.run(first.at);
      return true;
    },
  };
}
