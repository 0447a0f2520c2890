import { openAsBlob } from 'node:fs';
import path from 'node:path';

/** A small client of the hub's API, written against its description only. */
export class HubClient {
  readonly #url: string;
  #accessToken = '';
  #refreshToken = '';

  constructor(url: string) {
    this.#url = url;
  }

  async login(credential: string, password: string): Promise<void> {
    const answer = await this.post<Tokens>('/auth/login', { credential, password });
    this.#accessToken = answer.accessToken;
    this.#refreshToken = answer.refreshToken;
  }

  async get<Answer>(resource: string): Promise<Answer> {
    return await this.#call<Answer>(resource, { method: 'GET' });
  }

  async post<Answer>(resource: string, body: object = {}): Promise<Answer> {
    return await this.#call<Answer>(resource, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Uploads a file as multipart/form-data, field `file`; it is streamed from disk. */
  async upload<Answer>(resource: string, file: string): Promise<Answer> {
    const form = new FormData();
    form.append('file', await openAsBlob(file), path.basename(file));
    return await this.#call<Answer>(resource, { method: 'POST', body: form });
  }

  /** All rows of a list, page by page. */
  async list<Row>(resource: string): Promise<Row[]> {
    const rows: Row[] = [];
    let cursor: string | null = null;
    do {
      const query: string =
        cursor === null ? 'limit=100' : `limit=100&cursor=${encodeURIComponent(cursor)}`;
      const page: { data: Row[]; nextCursor: string | null } = await this.get(
        `${resource}?${query}`,
      );
      rows.push(...page.data);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return rows;
  }

  /** Server-sent events of a job, until the hub ends the stream. */
  async *events(
    resource: string,
  ): AsyncGenerator<{ readonly event: string; readonly data: unknown }> {
    const response = await this.#fetch(resource, {
      method: 'GET',
      headers: { Accept: 'text/event-stream' },
    });
    if (!response.ok || response.body === null) throw await describe(response);
    let text = '';
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      text += piece;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = /^event: (.*)$/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) };
      }
    }
  }

  async #call<Answer>(resource: string, init: RequestInit): Promise<Answer> {
    let response = await this.#fetch(resource, init);
    if (response.status === 401 && this.#refreshToken !== '') {
      await this.#refresh();
      response = await this.#fetch(resource, init);
    }
    if (!response.ok) throw await describe(response);
    return (await response.json()) as Answer;
  }

  async #refresh(): Promise<void> {
    const refreshToken = this.#refreshToken;
    this.#refreshToken = '';
    const answer = await this.post<Tokens>('/auth/refresh', { refreshToken });
    this.#accessToken = answer.accessToken;
    this.#refreshToken = answer.refreshToken;
  }

  async #fetch(resource: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#accessToken !== '') headers.set('Authorization', `Bearer ${this.#accessToken}`);
    return await fetch(`${this.#url}/api/v1${resource}`, { ...init, headers });
  }
}

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

async function describe(response: Response): Promise<Error> {
  const text = await response.text();
  return new Error(`${response.url} answered ${String(response.status)}: ${text}`);
}
