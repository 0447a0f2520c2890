import { resolveHost, type OutboundSettings } from '../../../src/services/outbound.ts';

const PRODUCTION: OutboundSettings = {
  nodeEnv: 'production',
  connectionHostsAllowed: [],
  embeddedServer: null,
};
const DEVELOPMENT: OutboundSettings = { ...PRODUCTION, nodeEnv: 'development' };
const PORT = 5432;

const notLookedUp = () => Promise.reject(new Error('must not be looked up'));
const answering =
  (...addresses: string[]) =>
  () =>
    Promise.resolve(addresses);

describe('resolveHost', () => {
  it.each([
    '127.0.0.1',
    '0',
    '127.1',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    '2130706433',
    '[::1]',
    '::1',
    '::',
    '0.0.0.0',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::7f00:1',
    '127.0.0.1.',
    '/var/run/postgresql',
    '@abstract',
    'a b',
    'fe80::1%eth0',
    '',
  ])('J1: refuses %j without looking it up', async (host) => {
    await expect(resolveHost({ host, port: PORT }, DEVELOPMENT, notLookedUp)).rejects.toMatchObject(
      {
        code: 'HOST_NOT_ALLOWED',
        details: { field: 'options.host' },
      },
    );
  });

  it.each(['localhost', 'LOCALHOST', 'db.localhost'])('J1: refuses %s', async (host) => {
    const lookup = answering('127.0.0.1', '::1');

    await expect(resolveHost({ host, port: PORT }, DEVELOPMENT, lookup)).rejects.toMatchObject({
      code: 'HOST_NOT_ALLOWED',
    });
  });

  it.each([
    '169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fd00:ec2::254',
    'metadata.google.internal',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
    '100.100.100.200',
    '168.63.129.16',
    '224.0.0.1',
    'ff02::1',
    '255.255.255.255',
  ])('J2: refuses %s', async (host) => {
    await expect(resolveHost({ host, port: PORT }, DEVELOPMENT, notLookedUp)).rejects.toMatchObject(
      {
        code: 'HOST_NOT_ALLOWED',
      },
    );
  });

  it('J3: refuses a name of which one answer is not allowed', async () => {
    const lookup = answering('93.184.215.14', '127.0.0.1');

    await expect(
      resolveHost({ host: 'db.example.com', port: PORT }, PRODUCTION, lookup),
    ).rejects.toMatchObject({ code: 'HOST_NOT_ALLOWED' });
  });

  it('J3: gives the address that it has checked', async () => {
    const lookup = answering('93.184.215.14', '93.184.215.15');

    const address = await resolveHost({ host: 'DB.example.com.', port: PORT }, PRODUCTION, lookup);

    expect(address).toBe('93.184.215.14');
  });

  it.each([22, 25, 6379, 80])('J5: refuses port %i of a host that is not listed', async (port) => {
    const host = '93.184.215.14';
    const listed = { ...PRODUCTION, connectionHostsAllowed: [host] };

    await expect(resolveHost({ host, port }, PRODUCTION)).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { field: 'options.port' },
    });
    expect(await resolveHost({ host, port }, listed)).toBe(host);
  });

  it.each(['10.1.2.3', '172.16.0.1', '192.168.1.1', 'fd12::1'])(
    'J8: takes %s in production only from the list',
    async (host) => {
      const listed = { ...PRODUCTION, connectionHostsAllowed: ['10.0.0.0/8', '172.16.0.1'] };
      const destination = { host, port: PORT };

      await expect(resolveHost(destination, PRODUCTION)).rejects.toMatchObject({
        code: 'HOST_NOT_ALLOWED',
      });
      expect(await resolveHost(destination, DEVELOPMENT)).toBe(host);
      const isListed = /^1[07]/.test(host);
      await (isListed
        ? expect(resolveHost(destination, listed)).resolves.toBe(host)
        : expect(resolveHost(destination, listed)).rejects.toBeDefined());
    },
  );

  it('takes a name that is listed wherever it leads', async () => {
    const listed = { ...PRODUCTION, connectionHostsAllowed: ['Legacy.internal'] };

    const address = await resolveHost(
      { host: 'legacy.internal', port: PORT },
      listed,
      answering('127.0.0.1'),
    );

    expect(address).toBe('127.0.0.1');
  });

  it('takes the embedded server, and no other port beside it', async () => {
    const embeddedServer = {
      host: '127.0.0.1',
      port: 54321,
      user: 'hub',
      password: 'secret',
      targetDatabase: 'target',
    };
    const settings = { ...DEVELOPMENT, embeddedServer };

    expect(await resolveHost({ host: 'localhost', port: 54321 }, settings)).toBe('127.0.0.1');
    await expect(resolveHost({ host: '127.0.0.1', port: 54322 }, settings)).rejects.toMatchObject({
      code: 'HOST_NOT_ALLOWED',
    });
  });
});
