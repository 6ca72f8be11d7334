import Synchronization

/// The questions to upstreams that are under way: each once, however many wait.
final class UpstreamQuestions: Sendable {
    struct Place: Hashable {
        let upstream: Int64
        let name: String
    }

    /// What came of a question.
    enum Answer: Sendable {
        case present
        case absent
        case fault(UpstreamFault)
    }

    /// What an upstream said, before it is written.
    enum Heard: Sendable {
        case said(UpstreamAnswer, UpstreamFile?)
        /// Another question had brought it.
        case known(Answer)
    }

    struct Question: Sendable {
        fileprivate let number: UInt64
        /// Nobody waits for it yet.
        let isAhead: Bool
        fileprivate var hasBegun = false
        let heard: Task<Heard, any Error>
        /// Ends when it is written.
        let kept: Task<Answer, any Error>
    }

    /// One who waits for the answer has asked meanwhile, and was not put behind others.
    struct Overtaken: Error {}

    /// A moment in the order in which questions end.
    struct Moment: Sendable { fileprivate let endings: UInt64 }

    /// Places whose last question is remembered to have ended.
    private static let endedMax = 8192

    private struct State {
        var running: [Place: Question] = [:]
        var numbers: UInt64 = 0
        var endings: UInt64 = 0
        /// When the last question for a place ended.
        var ended: [Place: UInt64] = [:]
        /// What ended until then is forgotten.
        var forgotten: UInt64 = 0
    }

    private let state = Mutex(State())

    /// - Parameter make: begins a question of this number.
    /// - Returns: the one that is under way, unless it is asked ahead, waits for its turn, and this one is not ahead.
    func join(
        _ place: Place, isAhead: Bool,
        _ make: (UInt64) -> (heard: Task<Heard, any Error>, kept: Task<Answer, any Error>)
    ) -> Question {
        state.withLock { state in
            if let running = state.running[place], isAhead || running.hasBegun || !running.isAhead { return running }
            state.numbers += 1
            let (heard, kept) = make(state.numbers)
            let question = Question(number: state.numbers, isAhead: isAhead, heard: heard, kept: kept)
            state.running[place] = question
            return question
        }
    }

    /// Its turn has come.
    ///
    /// - Throws: `Overtaken`.
    func begin(_ place: Place, _ number: UInt64) throws {
        try state.withLock { state in
            guard state.running[place]?.number == number else { throw Overtaken() }
            state.running[place]?.hasBegun = true
        }
    }

    /// It is written, or nothing will come of it.
    func end(_ place: Place, _ number: UInt64) {
        state.withLock { state in
            guard state.running[place]?.number == number else { return }
            state.running[place] = nil
            if state.ended.count >= Self.endedMax {
                state.ended = [:]
                state.forgotten = state.endings
            }
            state.endings += 1
            state.ended[place] = state.endings
        }
    }

    /// Taken before a name's standing is read, for `mayHaveEnded`.
    var now: Moment { state.withLock { Moment(endings: $0.endings) } }

    /// Whether a question for the place ended since then, so that what was read may no longer hold; yes if nobody remembers.
    func mayHaveEnded(_ place: Place, since moment: Moment) -> Bool {
        state.withLock { state in
            moment.endings < state.forgotten || moment.endings < state.ended[place, default: 0]
        }
    }
}
