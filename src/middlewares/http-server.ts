import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';

import { findErrorCode } from '../config/error-code.ts';
import { ERRORS, type ErrorCode } from '../errors/codes.ts';

export interface HttpServerOptions {
  readonly isDraining: () => boolean;
  /** How long a body may take, and how often an upload has to have made progress. Shorter in tests only. */
  readonly bodyTimeoutMs?: number;
}

const HEADERS_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_MS = 30_000;
/** Longer than load balancers keep theirs, so that none of them sends into a connection that is just being closed. */
const KEEP_ALIVE_MS = 65_000;
/** An upload may take hours, but not at the pace of someone who only wants to hold a connection. */
const SLOWEST_UPLOAD_BYTES = 1024;
const SWEEP_MS = 200;

/** What Node refuses before there is a request that Express could answer. Everything else is malformed. */
const RAW_CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** The server around the app: time limits, and JSON also for what is no HTTP. Does not listen yet. */
export function createHttpServer(app: RequestListener, options: HttpServerOptions): Server {
  const { isDraining, bodyTimeoutMs = BODY_TIMEOUT_MS } = options;
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Node's own limit is one for all requests, and large uploads need hours: see watchBody.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 1_000,
  });
  server.on('clientError', refuse);
  server.on('request', (request, response) => {
    if (isDraining()) response.setHeader('Connection', 'close');
    watchBody(request, response, bodyTimeoutMs);
  });
  server.on('request', app);
  return server;
}

/** Listens until the server has its port, which may have been 0. @throws the error of the operating system */
export async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/**
 * Takes no new connections, lets running requests end, and cuts off what is left after `seconds`. A connection is not closed by
 * Node when its last request ends, but when it has been idle: hence the sweeping.
 */
export async function drain(server: Server, seconds: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), seconds * 1000);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}

function watchBody(request: IncomingMessage, response: ServerResponse, timeoutMs: number): void {
  const { headers, socket } = request;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;

  const isUpload = headers['content-type']?.toLowerCase().startsWith('multipart/') ?? false;
  let bytesBefore = socket.bytesRead;
  const timer = setInterval(() => {
    const received = socket.bytesRead - bytesBefore;
    bytesBefore = socket.bytesRead;
    if (request.complete) clearInterval(timer);
    else if (!isUpload || received < SLOWEST_UPLOAD_BYTES) cutOff(response, socket);
  }, timeoutMs);
  timer.unref();
  request.once('close', () => clearInterval(timer));
}

function cutOff(response: ServerResponse, socket: Duplex): void {
  if (response.headersSent) socket.destroy();
  else answer(socket, 'REQUEST_TIMEOUT');
}

function refuse(error: Error, socket: Duplex): void {
  const code = findErrorCode(error) ?? '';
  if (code === 'ECONNRESET' || !socket.writable) socket.destroy();
  else answer(socket, RAW_CODES[code] ?? 'MALFORMED_REQUEST');
}

function answer(socket: Duplex, code: ErrorCode): void {
  const { status, message: error } = ERRORS[code];
  const body = JSON.stringify({ error });
  const head = [
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    `X-Request-Id: ${randomUUID()}`,
    `X-Error-Code: ${code}`,
    'X-Content-Type-Options: nosniff',
    "Content-Security-Policy: default-src 'none';frame-ancestors 'none'",
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
