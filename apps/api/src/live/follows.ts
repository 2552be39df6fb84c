/** How long an instance counts as following a project after it last said so. */
const FOLLOWED_MS = 15_000;
const MAX_PROJECTS = 10_000;

/**
 * Follows knows which projects are followed elsewhere, from what other instances say now and then. An instance that died
 * stops saying it and is forgotten. Past its bound it learns of no more projects: their points stay where they are made.
 */
export class Follows {
  private readonly untilMs = new Map<string, number>();

  constructor(private readonly steadyMs: () => number) {}

  /** hear is told that another instance follows these projects now. */
  hear(projects: readonly string[]): void {
    const until = this.steadyMs() + FOLLOWED_MS;
    if (this.untilMs.size + projects.length > MAX_PROJECTS) this.forgetOld();
    for (const project of projects) {
      if (this.untilMs.size < MAX_PROJECTS || this.untilMs.has(project)) this.untilMs.set(project, until);
    }
  }

  /** has tells whether somebody elsewhere follows a project; asked for every message, so it is one look. */
  has(project: string): boolean {
    const until = this.untilMs.get(project);
    return until !== undefined && until > this.steadyMs();
  }

  private forgetOld(): void {
    const nowMs = this.steadyMs();
    for (const [project, until] of this.untilMs) if (until <= nowMs) this.untilMs.delete(project);
  }
}
