import FoundationEssentials

/// Somebody outside who wants to hear of some actions.
struct Webhook: Hashable, Sendable {
    let id: Int64
    let name: String
    let url: String
    /// `publish`, `token.*` or `*`.
    let actions: [String]
    /// True: the address may lead into a private network, and be without encryption.
    let allowsPrivate: Bool

    /// Lines that wait for one webhook at most; further ones stay in the log until there is room.
    static let waitingMax = 10_000
    /// Dead letters that are kept of one webhook; the oldest go.
    static let deadMax = 10_000
    /// After so many tries in vain a line is a dead letter: about two and a half hours.
    static let attemptsMax = 12

    func wants(_ action: String) -> Bool { actions.contains { Self.matches($0, action) } }

    static func matches(_ pattern: String, _ action: String) -> Bool {
        guard pattern.hasSuffix("*") else { return pattern == action }
        return action.hasPrefix(pattern.dropLast())
    }

    /// Seconds until the next try; doubles up to an hour.
    ///
    /// - Parameter asked: what the other side asks us to wait.
    static func pause(afterAttempt attempt: Int, asked: Int?) -> Int {
        max(asked ?? 0, min(5 << min(max(attempt, 1) - 1, 12), 3600))
    }

    /// What is wrong with a new one, as a sentence.
    static func problem(name: String, url: String, actions: [String], allowsPrivate: Bool) -> String? {
        let isName =
            (1...64).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_".unicodeScalars.contains($0))
            }
        if !isName { return "`\(name)` is no name for a webhook: use 1 to 64 letters, digits, `-` or `_`" }
        if actions.isEmpty || actions.count > 50 || actions.contains(where: { $0.isEmpty || $0.utf8.count > 64 }) {
            return "a webhook names 1 to 50 actions, such as publish, token.* or *"
        }
        guard url.utf8.count <= 2000, url.hasPrefix("https://") || (allowsPrivate && url.hasPrefix("http://")) else {
            return "`\(url)` is no https address; http is for private networks, with --allow-private"
        }
        do { _ = try HTTPPost.Target(url) } catch { return error.description }
        return nil
    }
}
