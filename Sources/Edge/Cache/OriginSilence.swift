/// Remembers that the origin does not answer, so that not every client waits to find out again.
///
/// After a failure one question is let through per pause; the pause grows from 0.25 s to 2 s.
struct OriginSilence: Sendable {
    private static let pauseMin: Duration = .milliseconds(250)
    private static let pauseMax: Duration = .seconds(2)

    private var pause: Duration = .zero
    private var nextTry: Moment?

    /// True from a failure to the next answer.
    var isOn: Bool { nextTry != nil }

    mutating func failed(at now: Moment) {
        pause = min(Self.pauseMax, max(Self.pauseMin, pause * 2))
        nextTry = now + pause
    }

    mutating func answered() {
        pause = .zero
        nextTry = nil
    }

    /// - Returns: true if a question may go out now; then the others wait for the next pause to end.
    mutating func mayAsk(at now: Moment) -> Bool {
        guard let nextTry else { return true }
        guard now >= nextTry else { return false }
        self.nextTry = now + pause
        return true
    }
}
