import AsyncHTTPClient
import Hosting
import NIOCore
import NIOHTTPCompression
import NIOPosix
import Synchronization

/// Clients for upstreams' hosts, each pinned to an address that was looked up and checked here.
///
/// So a name can't resolve to another address between the check and the connection. One client for each upstream and host, so that
/// no upstream waits for another's connections; all close with `close()`.
final class UpstreamPins: Sendable {
    /// A pinned address is looked up again after this.
    private static let pinTimeMax: Duration = .seconds(300)
    /// Longer than any request: what runs over a client that is no longer used may end.
    private static let retiredTime: Duration = .seconds(90)
    private static let countMax = 256

    struct Place {
        let client: HTTPClient
        let isPrivate: Bool
    }

    private struct Key: Hashable {
        let upstream: Int64
        let host: UpstreamHost
        let privateAllowed: Bool
    }

    private struct Pin {
        let client: HTTPClient
        let address: String
        var since: ContinuousClock.Instant

        var place: Place { Place(client: client, isPrivate: PrivateAddress.isPrivate(address)) }
    }

    private struct State {
        var isClosed = false
        var pins: [Key: Pin] = [:]
        /// Replaced by another address, and since when.
        var retired: [Pin] = []

        /// Takes out what has been retired for long enough.
        mutating func ended(at now: ContinuousClock.Instant) -> [HTTPClient] {
            let ended = retired.filter { now - $0.since > UpstreamPins.retiredTime }
            retired.removeAll { now - $0.since > UpstreamPins.retiredTime }
            return ended.map(\.client)
        }

        /// A host that nobody asked for longest makes room.
        mutating func makeRoom(at now: ContinuousClock.Instant) {
            guard pins.count >= UpstreamPins.countMax, let oldest = pins.min(by: { $0.value.since < $1.value.since })
            else { return }
            retire(oldest.key, at: now)
        }

        mutating func retire(_ key: Key, at now: ContinuousClock.Instant) {
            guard var pin = pins.removeValue(forKey: key) else { return }
            pin.since = now
            retired.append(pin)
        }
    }

    private let state = Mutex(State())

    func close() async throws {
        let all = state.withLock { state in
            defer { state = State(isClosed: true) }
            return state.pins.values.map(\.client) + state.retired.map(\.client)
        }
        for client in all { try await client.shutdown() }
    }

    /// - Throws: a fault that names neither the address nor what is behind it.
    func place(of host: UpstreamHost, for upstream: Upstream) async throws -> Place {
        let key = Key(upstream: upstream.id, host: host, privateAllowed: upstream.privateAllowed)
        let now = ContinuousClock.now
        if let pin = state.withLock({ $0.pins[key] }), now - pin.since < Self.pinTimeMax { return pin.place }
        let address = try await resolve(host, of: upstream)
        let (place, ended) = try state.withLock { state in
            guard !state.isClosed else { throw CancellationError() }
            if var pin = state.pins[key], pin.address == address {
                pin.since = now
                state.pins[key] = pin
                return (pin.place, state.ended(at: now))
            }
            state.retire(key, at: now)
            state.makeRoom(at: now)
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton, configuration: Self.configuration(host, address))
            let pin = Pin(client: client, address: address, since: now)
            state.pins[key] = pin
            return (pin.place, state.ended(at: now))
        }
        for client in ended { try await client.shutdown() }
        return place
    }

    private func resolve(_ host: UpstreamHost, of upstream: Upstream) async throws -> String {
        let plain = host.plain
        let found: SocketAddress
        do {
            found = try await NIOThreadPool.singleton.runIfActive {
                try SocketAddress.makeAddressResolvingHost(plain, port: 0)
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw unknown(host, of: upstream)
        }
        guard let address = found.ipAddress else { throw unknown(host, of: upstream) }
        guard upstream.privateAllowed || !PrivateAddress.isPrivate(address) else {
            throw UpstreamFault(
                "`\(host)` is not at an address of the public internet; if that is meant, add the upstream with "
                    + "--allow-private")
        }
        return address
    }

    private func unknown(_ host: UpstreamHost, of upstream: Upstream) -> UpstreamFault {
        UpstreamFault(
            "the host `\(host)` has no address", extent: host == upstream.index.address.host ? .upstream : .name)
    }

    private static func configuration(_ host: UpstreamHost, _ address: String) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(20))
        configuration.decompression = .enabled(limit: .size(UpstreamFile.bytesMax))
        // As many as may ask at once: who waits for a free connection gives up as if there were none.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 24
        // A dead upstream says so at once; it is asked again after a pause.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.dnsOverride = [host.description: address]
        return configuration
    }
}
