import Synchronization

/// What a server has done since its start, and what is open now; a snapshot of plain numbers.
package struct EdgeFigures: Sendable, Equatable {
    package var connectionsOpen = 0
    package var connectionsAccepted = 0
    /// Answered 503 or closed because too many were open.
    package var connectionsRefused = 0
    /// Waiting for an answer or being answered.
    package var requestsOpen = 0
    package var requestsHTTP1 = 0
    package var requestsHTTP2 = 0
    /// Requests that never reached the handler: malformed, too large, too many.
    package var requestsRefused = 0
    /// The handler took longer than `answerTime`.
    package var answersLate = 0
    /// Body bytes handed to sockets.
    package var bodyBytesOut = 0
    /// RST_STREAM frames from clients.
    package var streamsReset = 0
    /// Connections closed for floods of resets or control frames.
    package var floods = 0
    /// Connections closed because the client stopped reading.
    package var stalls = 0
    /// Requests that came over a granted `Upgrade: h2c`.
    package var upgrades = 0

    package init() {}
}

/// The counters of one event loop; written there only, read from anywhere.
final class LoopFigures: Sendable {
    let connectionsAccepted = LoopCounter()
    let connectionsRefused = LoopCounter()
    let requestsHTTP1 = LoopCounter()
    let requestsHTTP2 = LoopCounter()
    let requestsRefused = LoopCounter()
    let answersLate = LoopCounter()
    let bodyBytesOut = LoopCounter()
    let streamsReset = LoopCounter()
    let floods = LoopCounter()
    let stalls = LoopCounter()
    let upgrades = LoopCounter()

    func add(to figures: inout EdgeFigures) {
        figures.connectionsAccepted += connectionsAccepted.value
        figures.connectionsRefused += connectionsRefused.value
        figures.requestsHTTP1 += requestsHTTP1.value
        figures.requestsHTTP2 += requestsHTTP2.value
        figures.requestsRefused += requestsRefused.value
        figures.answersLate += answersLate.value
        figures.bodyBytesOut += bodyBytesOut.value
        figures.streamsReset += streamsReset.value
        figures.floods += floods.value
        figures.stalls += stalls.value
        figures.upgrades += upgrades.value
    }
}

/// A number that one thread changes and others may read: no bus is locked for it.
final class LoopCounter: Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .relaxed) }

    func add(_ change: Int = 1) { number.store(number.load(ordering: .relaxed) &+ change, ordering: .relaxed) }
}

/// A number that many threads change.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .relaxed) }

    /// - Returns: the number after the change.
    @discardableResult
    func add(_ change: Int = 1) -> Int { number.wrappingAdd(change, ordering: .relaxed).newValue }
}
