import Foundation
import Registry
import Testing

struct CalendarDayTests {
    @Test(arguments: [
        (0, "1970-01-01"), (86_399, "1970-01-01"), (951_782_400, "2000-02-29"), (1_764_028_800, "2025-11-25"),
        (4_107_542_400, "2100-03-01"), (1_709_164_800, "2024-02-29"),
    ])
    func `seconds fall on their day`(seconds: Int, day: String) {
        #expect(CalendarDay.text(ofUnix: seconds) == day)
        #expect(CalendarDay.isDay(day))
    }

    @Test func `every day of two centuries is what the system's calendar says`() {
        for day in stride(from: 0, to: 73_000, by: 13) {
            let expected = Date(timeIntervalSince1970: Double(day) * 86_400).formatted(.iso8601.year().month().day())
            #expect(CalendarDay.text(ofUnix: day * 86_400 + 3) == expected)
        }
    }

    @Test(arguments: [
        "", "2025-1-01", "2025-13-01", "2025-00-01", "2025-02-29", "2025-04-31", "1969-12-31", "2025/01/01",
    ])
    func `what the calendar does not have is no day`(text: String) {
        #expect(!CalendarDay.isDay(text))
    }
}
