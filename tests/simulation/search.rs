//! Visits every state that a number of events can lead to.

use crate::world::{Event, World};
use std::collections::HashMap;

/// What a search has found.
pub struct Found {
    /// The orders of events and of foo's steps between them.
    pub orders: u128,
    /// The different states.
    pub states: usize,
}

/// Tries every order of this number of events. Fails with the events that break a promise.
pub fn search(start: World, events: &[Event], length: usize) -> Found {
    let mut seen = HashMap::new();
    let orders = visit(start, events, length, &mut seen, &mut Vec::new());
    Found { orders, states: seen.len() }
}

fn visit(
    world: World,
    events: &[Event],
    left: usize,
    seen: &mut HashMap<(World, usize), u128>,
    path: &mut Vec<String>,
) -> u128 {
    let key = (world, left);
    if let Some(&orders) = seen.get(&key) {
        return orders;
    }
    let world = &key.0;
    let mut orders = 0;
    if world.can_step() {
        let mut next = world.clone();
        path.push(format!("    foo: {}", next.step()));
        orders += visit(next, events, left, seen, path);
        path.pop();
    } else {
        world.check_end(path);
    }
    if left > 0 {
        for &event in events {
            let mut next = world.clone();
            if next.happens(event) {
                path.push(format!("{event:?}"));
                orders += visit(next, events, left - 1, seen, path);
                path.pop();
            }
        }
    }
    // An order ends where nothing more can happen.
    let orders = orders.max(1);
    seen.insert(key, orders);
    orders
}
