import Dispatch
import Synchronization

/// Lets so many pass at once, so many wait in line, and sends the rest away.
final class Gate: Sendable {
    private struct State {
        var inside = 0
        var waiting: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        /// Tickets in the order of arrival; those of cancelled tasks are passed over.
        var line: [UInt64] = []
        /// Of those that let all others go first.
        var later: [UInt64] = []
        var next: UInt64 = 0
    }

    private let insideMax: Int
    private let waitingMax: Int
    private let what: String
    private let state = Mutex(State())

    /// - Parameter what: what there is too much of, for the refusal.
    init(insideMax: Int, waitingMax: Int, of what: String = "uploads") {
        precondition(insideMax > 0, "a gate lets somebody pass")
        self.insideMax = insideMax
        self.waitingMax = waitingMax
        self.what = what
    }

    /// How many stand in line, the patient ones too.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// - Parameter isPatient: everybody who waits, and is not, goes first.
    /// - Throws: 503 if too many wait; `CancellationError`.
    func pass<Answer>(isPatient: Bool = false, _ body: () async throws -> Answer) async throws -> Answer {
        try await enter(isPatient)
        defer { leave() }
        return try await body()
    }

    private enum Entry { case inside, full, cancelled, waits }

    private func enter(_ isPatient: Bool) async throws {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let entry = state.withLock { state -> Entry in
                    if Task.isCancelled { return .cancelled }
                    if state.inside < insideMax {
                        state.inside += 1
                        return .inside
                    }
                    guard state.waiting.count < waitingMax else { return .full }
                    state.waiting[ticket] = continuation
                    if isPatient { state.later.append(ticket) } else { state.line.append(ticket) }
                    return .waits
                }
                switch entry {
                case .inside: continuation.resume()
                case .cancelled: continuation.resume(throwing: CancellationError())
                case .full:
                    continuation.resume(
                        throwing: Refusal.unavailable("too many \(what) at once; try again in a moment", retryAfter: 5))
                case .waits: break
                }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.line.removeAll { $0 == ticket }
                state.later.removeAll { $0 == ticket }
                return state.waiting.removeValue(forKey: ticket)
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    /// Gives the place to the first in line.
    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            if !state.line.isEmpty { return state.waiting.removeValue(forKey: state.line.removeFirst()) }
            if !state.later.isEmpty { return state.waiting.removeValue(forKey: state.later.removeFirst()) }
            state.inside -= 1
            return nil
        }
        next?.resume()
    }
}

/// Runs long computations on threads of their own, so many at once as the gate lets in.
func offLoop<Answer: Sendable>(_ work: @escaping @Sendable () throws -> Answer) async throws -> Answer {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try work() }) }
    }
}
