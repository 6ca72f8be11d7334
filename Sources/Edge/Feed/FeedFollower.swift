import AsyncHTTPClient
import EdgeCache
import Logging
import NIOCore
import NIOHTTP1
import Registry
import ServiceLifecycle
import Synchronization

/// Follows the origin's feed for as long as the edge runs: connects, applies, acknowledges, connects again.
///
/// It resumes after the last applied position. A connection that is silent for longer than the lease time counts as
/// dead; the client's read timeout sees to that. What an event means stands in `FeedEffects`, what it does in `CacheCore`.
final class FeedFollower: Service {
    private struct Gap: Error, CustomStringConvertible {
        let description: String
    }

    private static let notYet = "not connected yet"

    private let client: OriginClient
    private let desk: CacheDesk
    private let publicURL: String
    private let backoff: Backoff
    private let logger: Logger
    private let makeTable: @Sendable (RepositoryList) -> RepositoryTable
    /// Why there is no feed just now; nil while there is one.
    private let trouble = Mutex<String?>(FeedFollower.notYet)
    private let place: Mutex<FeedPlace>

    init(
        client: OriginClient, desk: CacheDesk, publicURL: String, hasPlace: Bool, backoff: Backoff = Backoff(),
        logger: Logger, makeTable: @escaping @Sendable (RepositoryList) -> RepositoryTable
    ) {
        self.client = client
        self.desk = desk
        self.publicURL = publicURL
        place = Mutex(FeedPlace(isKnown: hasPlace))
        self.backoff = backoff
        self.logger = logger
        self.makeTable = makeTable
    }

    var problem: String? { trouble.withLock { $0 } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var backoff = self.backoff
            var random = SystemRandomNumberGenerator()
            while !Task.isCancelled {
                let reason = await self.follow { backoff.succeeded() }
                if Task.isCancelled { return }
                let isNews = self.trouble.withLock { trouble in
                    defer { trouble = reason }
                    return trouble == nil || trouble == Self.notYet
                }
                if isNews { self.logger.warning("there is no feed", metadata: ["reason": "\(reason)"]) }
                try? await Task.sleep(for: backoff.next(using: &random))
            }
        }
    }

    /// One connection, until it ends.
    ///
    /// - Returns: why it ended.
    private func follow(_ connected: () -> Void) async -> String {
        do {
            let place = self.place.withLock { $0 }
            let start = desk.withCore { core, _ in place.start(core) }
            let response = try await client.feed(after: start, publicURL: publicURL)
            guard let stream = response.headers.first(name: EdgeWire.streamHeader) else {
                throw UpstreamError(
                    fault: .protocolBroken, detail: "a feed without the header `\(EdgeWire.streamHeader)`")
            }
            let (acknowledgements, offer) = AsyncStream.makeStream(
                of: Acknowledgement.self, bufferingPolicy: .bufferingNewest(1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.post(acknowledgements) }
                defer { group.cancelAll() }
                var parser = ServerSentEvents()
                for try await chunk in response.body {
                    for event in try parser.read(chunk) { try self.take(event, connected) }
                    let applied = self.desk.withCore { core, _ in core.feed.applied }
                    offer.yield(Acknowledgement(stream: stream, position: applied))
                }
                offer.finish()
            }
            return "the origin ended it"
        } catch {
            return "\(error)"
        }
    }

    private func take(_ event: ServerSentEvents.Event, _ connected: () -> Void) throws {
        let word = try FeedWord(event)
        let outcome = place.withLock { place in
            desk.withCore { core, now in place.take(word, &core, at: now, makeTable: makeTable) }
        }
        switch outcome {
        case .live(let head): isLive(head)
        case .anew(let head):
            logger.notice(
                "the feed begins anew: what is held is checked on its next use", metadata: ["head": "\(head)"])
            isLive(head)
        case .taken(let rewarm): rewarm.forEach { desk.run($0) }
        case .gap(let after): throw Gap(description: "position \(event.position ?? 0) came after \(after)")
        }
        if event.kind == "lease" { connected() }
        warnIfUnknown(word)
    }

    private func isLive(_ head: UInt64) {
        let wasBroken = trouble.withLock { trouble in
            defer { trouble = nil }
            return trouble != nil
        }
        if wasBroken { logger.notice("the feed is live", metadata: ["head": "\(head)"]) }
    }

    private func warnIfUnknown(_ word: FeedWord) {
        guard case .event(let envelope) = word, case .unknown(let kind) = envelope.event else { return }
        logger.warning(
            "the feed has a kind of event that this edge does not know: everything held is checked on its next use",
            metadata: ["kind": "\(kind.prefix(40))", "position": "\(envelope.position)"])
    }

    /// Only the newest position counts, so those that pile up behind a slow answer are left out.
    private func post(_ acknowledgements: AsyncStream<Acknowledgement>) async {
        for await acknowledgement in acknowledgements {
            do {
                try await client.acknowledge(acknowledgement)
            } catch {
                logger.debug("an acknowledgement did not arrive", metadata: ["error": "\(error)"])
            }
        }
    }
}
