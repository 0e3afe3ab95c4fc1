//! A shelf for what is costly to make and large to keep: it holds a few, and the one that has stood there longest gives way.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// At most `places` things, each known by its [`Slot`] alone.
pub(super) struct Warm<T> {
    places: usize,
    shelf: Mutex<Shelf<T>>,
}

struct Shelf<T> {
    next: u64,
    things: VecDeque<(u64, T)>,
}

/// Where a thing was put. Dropped, it takes the thing along.
pub(super) struct Slot<T: 'static> {
    warm: &'static Warm<T>,
    number: u64,
}

impl<T> Warm<T> {
    pub(super) const fn new(places: usize) -> Self {
        let things = VecDeque::new();
        Self {
            places,
            shelf: Mutex::new(Shelf { next: 0, things }),
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<T>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&'static self, thing: T) -> Slot<T> {
        let mut shelf = self.shelf();
        let number = shelf.next;
        shelf.next += 1;
        shelf.things.push_back((number, thing));
        let way = if shelf.things.len() > self.places {
            shelf.things.pop_front()
        } else {
            None
        };
        // What gives way may take long to go.
        drop(shelf);
        drop(way);
        Slot { warm: self, number }
    }
}

impl<T> Slot<T> {
    /// What was put there, unless it had to give way.
    pub(super) fn take(&self) -> Option<T> {
        let mut shelf = self.warm.shelf();
        let at = shelf.things.iter().position(|(n, _)| *n == self.number)?;
        shelf.things.remove(at).map(|(_, thing)| thing)
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        self.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_a_few_and_the_oldest_gives_way() {
        static WARM: Warm<u32> = Warm::new(2);
        let held = || WARM.shelf().things.len();
        let (a, b) = (WARM.put(1), WARM.put(2));
        let c = WARM.put(3);
        assert_eq!(held(), 2);
        assert_eq!((a.take(), b.take(), b.take()), (None, Some(2), None));
        let b = WARM.put(2);
        assert_eq!(held(), 2);
        // Whoever goes away leaves nothing.
        drop(c);
        assert_eq!(held(), 1);
        drop((a, b));
        assert_eq!(held(), 0);
    }
}
