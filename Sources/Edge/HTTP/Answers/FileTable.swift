import NIOCore

/// Files that were sent a moment ago and stay open, because a hot crate is asked for again at once: to open, look at, map and
/// close it on the thread pool costs a fifth of sending a megabyte.
///
/// A few, and for a few seconds: a file that was deleted keeps its room on disk until it is closed here.
struct FileTable {
    private struct Place {
        let file: OpenFile
        let headers: [(name: String, value: String)]
        let form: Rendition
        var lastUsed: NIODeadline
    }

    private var places: [String: Place] = [:]

    private static let countMax = 64
    private static let restTime: TimeAmount = .seconds(10)

    /// - Returns: the file and the answer's head; nil if it is not open here, or something else stands under its path by now.
    mutating func find(_ answer: FileAnswer, _ now: NIODeadline) -> (OpenFile, Rendition)? {
        guard let place = places[answer.path] else { return nil }
        guard place.file.bytes == answer.bytes, place.file.isStill(at: answer.path) else {
            places[answer.path] = nil
            return nil
        }
        places[answer.path]?.lastUsed = now
        let isSame = place.form.status == answer.status && place.headers.elementsEqual(answer.headers, by: ==)
        return (place.file, isSame ? place.form : answer.form)
    }

    mutating func keep(_ file: OpenFile, for answer: FileAnswer, _ form: Rendition, _ now: NIODeadline) {
        if places.count >= Self.countMax, places[answer.path] == nil,
            let oldest = places.min(by: { $0.value.lastUsed < $1.value.lastUsed })
        {
            places[oldest.key] = nil
        }
        places[answer.path] = Place(file: file, headers: answer.headers, form: form, lastUsed: now)
    }

    /// Lets go of what nobody has asked for lately.
    mutating func tidy(_ now: NIODeadline) {
        guard !places.isEmpty else { return }
        places = places.filter { now < $0.value.lastUsed + Self.restTime }
    }
}
