import NIOCore
import NIOHTTP1
import Registry
import Synchronization

/// Asks one edge for one crate's index file again and again, and notes what came when.
///
/// The crate is the measurement's own, so its versions are counted by lines.
final class IndexWatch: Sendable {
    /// Between an answer and the next question.
    static let pause: Duration = .milliseconds(2)

    /// What an edge said at a moment.
    struct Look: Hashable, Sendable {
        let time: NIODeadline
        let versions: Int
        let isStale: Bool
    }

    private let url: String
    private let web: Web
    private let token: String?
    private let looks = Mutex<[Look]>([])

    /// - Parameter base: `{edge}/{repository}/index/`.
    init(base: String, crate: String, web: Web, token: String?) throws {
        url = base + "\(try CrateName(crate).indexPath)"
        self.web = web
        self.token = token
    }

    /// Asks until it is cancelled. Answers that say the same as the one before are not kept; a failed question is
    /// asked again.
    func run() async {
        while !Task.isCancelled {
            if let look = await look() {
                looks.withLock { looks in
                    let isNews = looks.last?.versions != look.versions || looks.last?.isStale != look.isStale
                    if isNews { looks.append(look) }
                }
            }
            guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
        }
    }

    private func look() async -> Look? {
        guard let page = try? await web.get(url, token: token), page.status == 200 || page.status == 404 else {
            return nil
        }
        let versions = page.status == 200 ? page.text.utf8.count { $0 == UInt8(ascii: "\n") } : 0
        let isStale = page.headers["x-cache"].contains("STALE") || page.headers.contains(name: "warning")
        return Look(time: .now(), versions: versions, isStale: isStale)
    }

    /// The first moment, not before `start`, at which a look fits.
    func first(since start: NIODeadline, _ fits: (Look) -> Bool) -> NIODeadline? {
        looks.withLock { $0.first { $0.time >= start && fits($0) }?.time }
    }

    /// What it said last.
    var last: Look? { looks.withLock { $0.last } }

    /// Waits for a look that fits.
    ///
    /// - Returns: its moment; nil if there was none in time.
    func wait(
        upTo time: Duration, since start: NIODeadline, _ fits: @Sendable (Look) -> Bool
    ) async throws -> NIODeadline? {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            if let found = first(since: start, fits) { return found }
            try await Task.sleep(for: .milliseconds(2))
        }
        return first(since: start, fits)
    }
}
