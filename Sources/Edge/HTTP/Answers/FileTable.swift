import NIOCore

/// Files that were sent a moment ago and stay open, because a hot crate is asked for again at once: to open, look at and
/// close it on the thread pool costs a fifth of sending a megabyte.
///
/// A few, small, and for a few seconds: a file that was deleted keeps its room on disk until it is closed here.
struct FileTable {
    private struct Place {
        let file: OpenFile
        let headers: [(name: String, value: String)]
        let form: Rendition
        var lastUsed: NIODeadline
    }

    private var places: [String: Place] = [:]

    private var bytes = 0

    /// Larger files are not kept: the disk and the network are what they cost.
    private static let fileBytesMax = 4 << 20
    private static let bytesMax = 64 << 20
    private static let countMax = 64
    private static let restTime: TimeAmount = .seconds(10)

    /// - Returns: the file and the answer's head; nil if it is not open here, or something else stands under its path by now.
    mutating func find(_ answer: FileAnswer, _ now: NIODeadline) -> (OpenFile, Rendition)? {
        guard let place = places[answer.path] else { return nil }
        guard place.file.bytes == answer.bytes, place.file.isStill(at: answer.path) else {
            remove(answer.path)
            return nil
        }
        places[answer.path]?.lastUsed = now
        let isSame = place.form.status == answer.status && place.headers.elementsEqual(answer.headers, by: ==)
        return (place.file, isSame ? place.form : answer.form)
    }

    mutating func keep(_ file: OpenFile, for answer: FileAnswer, _ form: Rendition, _ now: NIODeadline) {
        guard file.bytes <= Self.fileBytesMax else { return }
        remove(answer.path)
        while places.count >= Self.countMax || bytes + file.bytes > Self.bytesMax,
            let oldest = places.min(by: { $0.value.lastUsed < $1.value.lastUsed })
        {
            remove(oldest.key)
        }
        bytes += file.bytes
        places[answer.path] = Place(file: file, headers: answer.headers, form: form, lastUsed: now)
    }

    /// Lets go of what nobody has asked for lately.
    mutating func tidy(_ now: NIODeadline) {
        for (path, place) in places where place.lastUsed + Self.restTime <= now { remove(path) }
    }

    private mutating func remove(_ path: String) {
        if let place = places.removeValue(forKey: path) { bytes -= place.file.bytes }
    }
}
